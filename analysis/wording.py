r"""How the report writes numbers: shares as percent, intervals in brackets, money with its currency.

>>> decimal(0.4567), share(0.7), interval(0.6, 0.81), money(1234, "USD"), plural(2, "image")
('0.457', '70.0\xa0%', '[0.600, 0.810]', '12.34 USD', '2 images')
"""

import math

MISSING = "–"


def decimal(value: float | None, digits: int = 3) -> str:
    """A number with a fixed count of decimals and a true minus sign; a dash where it is missing."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}f}"
    return (text if float(text) else text.removeprefix("-")).replace("-", "−")


def share(value: float | None, digits: int = 1) -> str:
    """A share of 1 as percent."""
    return MISSING if value is None or math.isnan(value) else f"{decimal(100 * value, digits)}\u00a0%"


def interval(low: float, high: float, digits: int = 3) -> str:
    """An interval in brackets; nothing where there is none."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"[{decimal(low, digits)}, {decimal(high, digits)}]"


def share_interval(low: float, high: float) -> str:
    """An interval of shares, in percent."""
    inside = interval(100 * low, 100 * high, 1)
    return f"{inside}\u00a0%" if inside else ""


def whole(value: float) -> str:
    """A count with thousands set apart."""
    return f"{int(value):,}"


def money(minor: int, currency: str) -> str:
    """An amount in the minor unit (cents), in the major one."""
    return f"{minor / 100:,.2f} {currency}"


def probability(value: float) -> str:
    """A p value: three decimals, or "< 0.001"."""
    if math.isnan(value):
        return MISSING
    return "< 0.001" if value < 0.001 else decimal(value)


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

"""The pages, one file each; they only draw."""

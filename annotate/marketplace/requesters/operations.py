"""Which operations the marketplace answers, and one request's way through them.

Takes in the X-Amz-Target header and the body of a POST; gives out an HTTP status and the JSON of the answer.

    >>> answer(market, "MTurkRequesterServiceV20170117.GetAccountBalance", b"{}")      # doctest: +SKIP
    (200, {'AvailableBalance': '10000.00', 'OnHoldBalance': '0.00'})
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from photojury.annotate.marketplace import reviewing, states
from photojury.annotate.marketplace.books import Market
from photojury.annotate.marketplace.requesters import (
    assignments,
    hit_types,
    hits,
    people,
    protocol,
    qualification_requests,
    qualification_types,
    qualifications,
)

log = logging.getLogger(__name__)

OPERATIONS: Mapping[str, Callable[[Market, Mapping[str, Any]], dict[str, Any]]] = {
    "AcceptQualificationRequest": qualification_requests.accept_qualification_request,
    "ApproveAssignment": assignments.approve_assignment,
    "AssociateQualificationWithWorker": qualifications.associate_qualification_with_worker,
    "CreateAdditionalAssignmentsForHIT": hits.create_additional_assignments_for_hit,
    "CreateHIT": hits.create_hit,
    "CreateHITType": hit_types.create_hit_type,
    "CreateHITWithHITType": hits.create_hit_with_hit_type,
    "CreateQualificationType": qualification_types.create_qualification_type,
    "CreateWorkerBlock": people.create_worker_block,
    "DeleteHIT": hits.delete_hit,
    "DeleteQualificationType": qualification_types.delete_qualification_type,
    "DeleteWorkerBlock": people.delete_worker_block,
    "DisassociateQualificationFromWorker": qualifications.disassociate_qualification_from_worker,
    "GetAccountBalance": assignments.get_account_balance,
    "GetAssignment": assignments.get_assignment,
    "GetFileUploadURL": people.get_file_upload_url,
    "GetHIT": hits.get_hit,
    "GetQualificationScore": qualifications.get_qualification_score,
    "GetQualificationType": qualification_types.get_qualification_type,
    "ListAssignmentsForHIT": assignments.list_assignments_for_hit,
    "ListBonusPayments": assignments.list_bonus_payments,
    "ListHITs": hits.list_hits,
    "ListHITsForQualificationType": qualification_types.list_hits_for_qualification_type,
    "ListQualificationRequests": qualification_requests.list_qualification_requests,
    "ListQualificationTypes": qualification_types.list_qualification_types,
    "ListReviewPolicyResultsForHIT": reviewing.list_review_policy_results_for_hit,
    "ListReviewableHITs": hits.list_reviewable_hits,
    "ListWorkerBlocks": people.list_worker_blocks,
    "ListWorkersWithQualificationType": qualifications.list_workers_with_qualification_type,
    "NotifyWorkers": people.notify_workers,
    "RejectAssignment": assignments.reject_assignment,
    "RejectQualificationRequest": qualification_requests.reject_qualification_request,
    "SendBonus": assignments.send_bonus,
    "SendTestEventNotification": hit_types.send_test_event_notification,
    "UpdateExpirationForHIT": hits.update_expiration_for_hit,
    "UpdateHITReviewStatus": hits.update_hit_review_status,
    "UpdateHITTypeOfHIT": hit_types.update_hit_type_of_hit,
    "UpdateNotificationSettings": hit_types.update_notification_settings,
    "UpdateQualificationType": qualification_types.update_qualification_type,
}


def answer(market: Market, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Answer one request of the requester API.

    Returns:
        200 and the result, 400 and a RequestError, or 500 and a ServiceFault, which botocore tries again.
    """
    try:
        name, request = protocol.read(target, body)
        states.settle(market)
        return 200, OPERATIONS[name](market, request)
    except protocol.RequestError as error:
        return 400, error.body(market.clock())
    except Exception:  # whatever it is, the requester gets an answer that it can act on
        log.exception("%s failed", target)
        return 500, protocol.service_fault(market.clock())

"""Deliveries as JSON shapes. Pure: rows in, shapes out. Where a webhook's path or token is, is not shown."""

from __future__ import annotations

from jobsd.notify.sde import JOB
from jobsd.views.shapes import DeliveryDetail, DeliveryView, ResultPosted
from scheduler.ledger.deliveries import SDE_RESULT, Delivery


def delivery_view(delivery: Delivery) -> DeliveryView:
    """A delivery."""
    return DeliveryView(
        delivery_id=delivery.delivery_id,
        delivery_no=delivery.delivery_no,
        job=delivery.job,
        run_id=delivery.run_id,
        timezone=delivery.zone or "UTC",
        kind=delivery.kind,
        about=delivery.about,
        target=delivery.target,
        result=_result(delivery) if delivery.kind == SDE_RESULT else None,
        state=delivery.state.value,
        reason=delivery.reason,
        tries=delivery.tries,
        created_at=delivery.created_at,
        due_at=delivery.due_at,
        ended_at=delivery.ended_at,
    )


def delivery_detail(delivery: Delivery) -> DeliveryDetail:
    """A delivery with what it says."""
    done = delivery.body.get("progress") or {}
    return DeliveryDetail(
        **delivery_view(delivery).model_dump(),
        subject=delivery.body.get("subject"),
        text=delivery.body.get("text"),
        payload=delivery.body.get("payload"),
        delivered_to=list(done.get("delivered", ())),
        refused_by=dict(done.get("refused", {})),
    )


def _result(delivery: Delivery) -> ResultPosted:
    body = delivery.body
    return ResultPosted(
        server=body["server"],
        kind=body["kind"],
        connection=body["connection"],
        succeeded=body["succeeded"],
        result_message=body["result_message"],
        sde_job=(body.get("progress") or {}).get(JOB),
    )

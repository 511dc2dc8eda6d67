"""How deliveries reach people and programs: mail, webhooks, heartbeats."""

from jobsd.notify.postman import Postman

__all__ = ["Postman"]

"""How deliveries reach people and programs: mail, webhooks."""

from jobsd.notify.postman import Postman

__all__ = ["Postman"]

-- What stays of a payment when the person behind it is erased.
--
-- Accounting law has the books kept for years (in Germany § 257 HGB, § 147 AO; in the
-- EU article 17 (3) b GDPR makes room for it): payments, refunds and the ledger stay
-- with amounts, currency and times, and so does the provider's id of the charge, by
-- which the provider's books are compared and disputes are answered. The links to the
-- person go: the user's id gives way to a random one, another for every payment, of
-- version 4, while the ids of users are of version 7; and of refunds, who asked, the
-- key and its fingerprint. A refund's reason is written by those who give money back,
-- for the audit trail; personal data does not belong in it, and it stays.

alter table payments add column erased_at timestamptz;

-- A person's payments, in order.
create index payments_user_id_idx on payments (user_id, id);

-- A provider's event may name the person: Stripe repeats name, e-mail address and
-- postal address of the card's holder in it. It is needed until it is handled, and
-- then only its id, so that it is not handled twice.
update webhook_events set body = '' where handled_at is not null;

-- Whose payment an event is about.
alter table webhook_events add column payment_id uuid;

create index webhook_events_open_payment_idx on webhook_events (payment_id)
    where handled_at is null;

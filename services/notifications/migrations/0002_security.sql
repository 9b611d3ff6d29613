-- Mails about the security of an account, and erasure.

alter table notifications drop constraint notifications_kind_known;
alter table notifications add constraint notifications_kind_known check (
    kind in ('welcome', 'order_confirmed', 'order_failed', 'order_cancelled',
             'payment_refunded', 'verify_email', 'reset_password', 'security',
             'account_closed')
);

-- Sent whatever the user's preferences say.
alter table deliveries add column mandatory boolean not null default false;

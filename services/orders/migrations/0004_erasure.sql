-- What stays of an order when the person behind it is erased.
--
-- Tax and commercial law has records of sales kept for years (in Germany eight to ten:
-- § 147 AO, § 257 HGB; in the EU article 17 (3) b GDPR makes room for it): what was
-- sold, for how much, in which currency, when, and into which country, which decides
-- the rate of VAT. So lines, totals, currency, times and country stay. Who it was and
-- where they live is not part of that: recipient, street, city and postal code go,
-- and the user's id gives way to a random one, another for every order, so that not
-- even the orders of one person can be put together again. It is of version 4, while
-- the ids of users are of version 7: it is never anybody's.
--
-- Rows of operator_actions stay as they are: they can only be added. They name
-- operators, and orders by their ids; what operators write there has to do without
-- personal data of customers, and they are told so.

alter table orders add column erased_at timestamptz;

alter table orders add constraint orders_erased_without_person check (
    erased_at is null
    or (recipient = '' and street = '' and city = '' and postal_code = '')
);

alter table orders add constraint orders_erased_when_ended check (
    erased_at is null or state <> 'pending'
);

-- Payments for the orders of a prober: made like any other, and left out of figures about
-- business.
alter table payments add column synthetic boolean not null default false;

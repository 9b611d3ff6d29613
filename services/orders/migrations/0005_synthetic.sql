-- Orders of a prober: carried out like any other, and left out of figures about business.
-- Reports on this table have to leave them out, too.
alter table orders add column synthetic boolean not null default false;

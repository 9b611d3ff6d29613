-- For deleting reservations that were closed long ago.
create index reservations_closed_idx on reservations (updated_at) where state <> 'held';

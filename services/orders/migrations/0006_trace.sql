-- W3C trace context of the request that began it: a saga that is resumed is part of that.
alter table sagas add column traceparent text;

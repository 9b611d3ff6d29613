-- W3C trace context of whoever made the notification: handing it over is part of that.
alter table deliveries add column traceparent text;

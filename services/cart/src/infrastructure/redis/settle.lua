-- KEYS: quantities, times, settled orders, tombstone. ARGV: order, now, how long a settled order is remembered (both in seconds), then product and quantity in turn.
if redis.call('EXISTS', KEYS[4]) == 1 then
  return
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[2] - ARGV[3])
if redis.call('ZADD', KEYS[3], 'NX', ARGV[2], ARGV[1]) == 0 then
  return
end
redis.call('EXPIRE', KEYS[3], ARGV[3])
for i = 4, #ARGV, 2 do
  local held = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0')
  if held > tonumber(ARGV[i + 1]) then
    redis.call('HINCRBY', KEYS[1], ARGV[i], -ARGV[i + 1])
  else
    redis.call('HDEL', KEYS[1], ARGV[i])
    redis.call('ZREM', KEYS[2], ARGV[i])
  end
end

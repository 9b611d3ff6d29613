-- KEYS: quantities, times, marker of the order. ARGV: seconds to keep, then product and quantity in turn.
if not redis.call('SET', KEYS[3], '1', 'NX', 'EX', ARGV[1]) then
  return
end
for i = 2, #ARGV, 2 do
  local held = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '0')
  if held > tonumber(ARGV[i + 1]) then
    redis.call('HINCRBY', KEYS[1], ARGV[i], -ARGV[i + 1])
  else
    redis.call('HDEL', KEYS[1], ARGV[i])
    redis.call('ZREM', KEYS[2], ARGV[i])
  end
end

-- KEYS: quantities, times, tombstone. ARGV: product, quantity, most lines, most pieces, now, seconds to keep.
if redis.call('EXISTS', KEYS[3]) == 1 then
  return 'erased'
end
local held = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if held == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then
  return 'cart_full'
end
if held + tonumber(ARGV[2]) > tonumber(ARGV[4]) then
  return 'quantity_too_large'
end
redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], 'NX', ARGV[5], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
return 'done'

-- Exchanges still live: their leases last longer, and are taken again where they were lost. Those that an operator has
-- ended by a reset stay ended.
-- KEYS  set of slots, key that says when it was reset
-- ARGV  lifetime of a lease (ms), then of each exchange its id and since when it holds the slot
-- Reply {time, ids that were ended}
local lease_ms = tonumber(ARGV[1])
local reset = tonumber(read('GET', KEYS[2]) or '-1')
local reply = {now}
read('ZCARD', KEYS[1])
for i = 2, #ARGV, 2 do
  if not redis.call('ZSCORE', KEYS[1], ARGV[i]) and tonumber(ARGV[i + 1]) <= reset then
    reply[#reply + 1] = ARGV[i]
  else
    redis.call('ZADD', KEYS[1], text(now + lease_ms), ARGV[i])
  end
end
redis.call('PEXPIRE', KEYS[1], text(lease_ms + 1000))
return reply

-- Says that a gateway lives, and learns who else does.
-- KEYS  members (sorted set: id -> when it is forgotten), counter of changes of documents
-- ARGV  id of this gateway, lifetime of an entry (ms)
-- Reply {time, 1: it was a member before, counter, its place among the members by name from 0, number of members}
local known = tonumber(read('ZSCORE', KEYS[1], ARGV[1]) or '0') > now
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
redis.call('ZADD', KEYS[1], text(now + tonumber(ARGV[2])), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local members = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(members)
local rank = 0
for i, member in ipairs(members) do
  if member == ARGV[1] then rank = i - 1 end
end
return {now, known and 1 or 0, tonumber(read('GET', KEYS[2]) or '0'), rank, #members}

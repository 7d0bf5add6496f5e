-- Adds what a gateway let pass on its own while this server was away, once.
-- KEYS  marker of this charge, then buckets
-- ARGV  lifetime of the marker (ms), JSON: {kind, units, amount, a, b, c} of each bucket
-- Reply {1: charged now, 0: was charged before; time, repaired}
if read('GET', KEYS[1]) then return {0, now, repaired} end
redis.call('SET', KEYS[1], 'settled', 'PX', ARGV[1])
for i, added in ipairs(cjson.decode(ARGV[2])) do
  if added[1] == RATE then
    add_to_rate(KEYS[i + 1], added[2], added[3], added[4])
  else
    add_to_budget(KEYS[i + 1], added[2], added[6], added[5])
  end
end
return {1, now, repaired}

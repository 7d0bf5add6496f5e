-- Where buckets stand, without a change.
-- KEYS  buckets
-- ARGV  JSON: {kind, 0, amount, burst, 0, a, b, c} of each
-- Reply {outcome, time, repaired}, then of each bucket used, remaining, reset. Outcome 2: a period is not the present one.
local all = cjson.decode(ARGV[1])
for _, asked in ipairs(all) do
  if is_stale(asked) then return {2, now, repaired} end
end
local reply = {1, now, repaired}
for i, asked in ipairs(all) do tell(reply, asked, look(KEYS[i], asked)) end
return reply

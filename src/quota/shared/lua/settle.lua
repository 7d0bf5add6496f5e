-- Corrects what an exchange was charged to what it really took, once, and ends its leases.
-- KEYS  marker of the exchange, the buckets of its corrections, and further sets of slots that it may be in
-- ARGV  id of the exchange, lifetime of the marker (ms), what to charge when there is no marker, JSON: corrections as
--       {kind, reserved, used, amount, a, b, c}
--       used: it was never admitted here; difference: what was reserved has been charged without a marker
-- Reply {1: settled now, 0: was settled before; time, repaired}
local marker = read('GET', KEYS[1])
if marker == 'settled' then return {0, now, repaired} end
redis.call('SET', KEYS[1], 'settled', 'PX', ARGV[2])

local notes = {}
if marker and #marker > 4 then
  local readable, value = pcall(cjson.decode, string.sub(marker, 5))
  if readable then notes = value end
end
local corrections = cjson.decode(ARGV[4])
local charged = marker or ARGV[3] == 'difference'
for i, correction in ipairs(corrections) do
  local kind, reserved, used, amount = correction[1], correction[2], correction[3], correction[4]
  local key = KEYS[i + 1]
  local units = charged and used - reserved or used
  if kind == SLOTS then
    read('ZREM', key, ARGV[1])
  elseif units ~= 0 and notes[key] ~= '-' then
    if kind == RATE then
      add_to_rate(key, units, amount, correction[5])
    else
      add_to_budget(key, units, notes[key] or correction[7], correction[6])
    end
  end
end
for i = #corrections + 2, #KEYS do read('ZREM', KEYS[i], ARGV[1]) end
return {1, now, repaired}

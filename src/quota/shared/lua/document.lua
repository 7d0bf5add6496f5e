-- Writes or deletes a document when its version is the expected one.
-- KEYS  hash: name -> version:text, counter of changes
-- ARGV  name, expected version (0: it must not exist), text; without a text it is deleted
-- Reply the new version, 0 for a deletion, -1 when another version is there
local kept = read('HGET', KEYS[1], ARGV[1])
local version = kept and tonumber(string.match(kept, '^(%d+):')) or 0
if version ~= tonumber(ARGV[2]) or (version == 0 and not ARGV[3]) then return -1 end
redis.call('INCR', KEYS[2])
if ARGV[3] then
  redis.call('HSET', KEYS[1], ARGV[1], text(version + 1) .. ':' .. ARGV[3])
  return version + 1
end
redis.call('HDEL', KEYS[1], ARGV[1])
return 0

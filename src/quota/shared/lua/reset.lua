-- Empties a bucket.
-- KEYS  bucket, and for slots the key that says when
-- ARGV  how long that is remembered (ms)
redis.call('DEL', KEYS[1])
if KEYS[2] then redis.call('SET', KEYS[2], text(now), 'PX', ARGV[1]) end
return {now}

-- outbox_tried: how old the oldest message is that did not arrive at the first claim.
--
-- A message that arrives at once never comes into this index, so the way of nearly every message costs no more than
-- before. Those that were never claimed are found by outbox_new, by the moment at which they became ready.

-- Read by the metrics, for the age of the oldest owed message by lane.
create index outbox_tried on outbox (lane, created_at)
  where held_at is null and (claim_number > 1 or attempt_count > 0);

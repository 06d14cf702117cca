-- The request that a browser began last, for a link that is opened in it and goes on there.

-- Read when a sign-up's link is confirmed in the browser that began it.
create index authorization_requests_browser on authorization_requests (app_id, browser_hash, created_at)
  where answered_at is null;

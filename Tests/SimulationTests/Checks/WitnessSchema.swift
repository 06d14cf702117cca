/// What the witness adds to a world's own database: triggers that look at each transaction when it commits.
///
/// They know nothing of the code that writes. A breach is written down and not refused, so that nothing runs otherwise
/// than without them.
enum WitnessSchema {
    static let text = order + tables + messages + secrets + events + triggers

    /// What falls due at one moment is claimed in an order of its own.
    ///
    /// An index keeps equal entries by where their rows lie, which depends on when Postgres found room, and thereby on
    /// whatever else runs: two runs of one seed then claim different messages where more are due than are taken.
    private static let order = """
        drop index outbox_turn;
        create index outbox_turn on outbox (lane, app_id, due_at, created_at, kind, route)
         where ready and held_at is null and app_id is not null;

        """

    private static let tables = """
        create schema witness;
        create table witness.breaches (number bigserial primary key, promise text not null, detail text not null);
        create table witness.owed (number bigserial primary key, app_id uuid not null, id uuid not null, kind text,
                                   replay_of uuid, type text, created_at timestamptz, unique (app_id, id));
        create table witness.ended (number bigserial primary key, app_id uuid not null, id uuid not null,
                                    outcome text, at timestamptz, unique (app_id, id));
        create table witness.fuse (is_lit boolean not null);
        insert into witness.fuse values (false);

        create function witness.breach(promise text, detail text) returns void
        language sql security definer begin atomic
          insert into witness.breaches (promise, detail) values (promise, detail);
        end;

        -- While the fuse is lit, whatever commits loses its connection, and with it the transaction.
        create function witness.burn() returns void language plpgsql security definer as $$
        begin
          if (select is_lit from witness.fuse) then
            perform pg_terminate_backend(pg_backend_pid());
            perform pg_sleep(30);
          end if;
        end $$;

        """

    private static let messages = """
        create function witness.message_owed() returns trigger language plpgsql security definer as $$
        begin
          insert into witness.owed (app_id, id, kind, replay_of, type, created_at)
          values (new.app_id, new.id, new.kind, new.replay_of, new.payload ->> 'type', new.created_at)
          on conflict do nothing;
          if not found then
            perform witness.breach('ended_twice', 'owed a second time: ' || new.kind || ' ' || new.id);
          end if;
          return null;
        end $$;

        create function witness.message_ended() returns trigger language plpgsql security definer as $$
        begin
          insert into witness.ended (app_id, id, outcome, at) values (new.app_id, new.id, new.outcome, new.ended_at)
          on conflict do nothing;
          if not found then
            perform witness.breach('ended_twice', new.outcome || ' ' || new.kind || ' ' || new.id);
          end if;
          return null;
        end $$;

        -- At the commit: what left or entered is in one place, and in one only.
        create function witness.check_place() returns trigger language plpgsql security definer as $$
        declare
          message record;
          owed int;
          ended int;
        begin
          perform witness.burn();
          if tg_op = 'DELETE' then message := old; else message := new; end if;
          select count(*) into owed from public.outbox where app_id = message.app_id and id = message.id;
          select count(*) into ended from public.deliveries where app_id = message.app_id and id = message.id;
          if owed + ended = 0 then
            perform witness.breach('message_lost', message.kind || ' ' || message.id);
          elsif owed + ended > 1 then
            perform witness.breach('ended_twice', message.kind || ' ' || message.id || ': owed ' || owed || ', ended '
                                   || ended);
          end if;
          return null;
        end $$;

        create function witness.check_attempt() returns trigger language plpgsql security definer as $$
        begin
          if not exists (select from witness.owed where app_id = new.app_id and id = new.message_id) then
            perform witness.breach('other_app', 'an attempt at a message that the app never owed: ' || new.message_id);
          elsif exists (select from witness.ended
                         where app_id = new.app_id and id = new.message_id and at < new.started_at) then
            perform witness.breach('attempt_after_end', new.outcome || ' ' || new.message_id);
          end if;
          return null;
        end $$;

        """

    private static let secrets = """
        create function witness.check_flow() returns trigger language plpgsql security definer as $$
        begin
          if old.state = 'passed' then
            perform witness.breach('redeemed_twice', 'flow ' || new.id);
          elsif old.state = 'refused' then
            perform witness.breach('dead_accepted', 'flow ' || new.id);
          elsif new.state = 'passed' and new.ended_at >= new.expires_at then
            perform witness.breach('expired_accepted', 'flow ' || new.id);
          end if;
          return null;
        end $$;

        create function witness.check_code() returns trigger language plpgsql security definer as $$
        begin
          if old.redeemed_at is not null then
            perform witness.breach('redeemed_twice', 'authorization code of ' || new.user_id);
          elsif new.redeemed_at >= new.expires_at then
            perform witness.breach('expired_accepted', 'authorization code of ' || new.user_id);
          elsif not exists (select from public.users
                             where app_id = new.app_id and id = new.user_id and state = 'active'
                               and auth_epoch = new.auth_epoch) then
            perform witness.breach('dead_accepted', 'authorization code of ' || new.user_id);
          end if;
          return null;
        end $$;

        create function witness.check_refresh() returns trigger language plpgsql security definer as $$
        begin
          if old.used_at is not null then
            perform witness.breach('redeemed_twice', 'refresh token of family ' || new.family_id);
          elsif new.used_at >= new.expires_at then
            perform witness.breach('expired_accepted', 'refresh token of family ' || new.family_id);
          elsif not exists (select from public.token_families as f
                              join public.sessions as s on s.app_id = f.app_id and s.id = f.session_id
                              join public.users as u on u.app_id = s.app_id and u.id = s.user_id
                             where f.app_id = new.app_id and f.id = new.family_id and f.ended_at is null
                               and s.ended_at is null and s.expires_at > new.used_at and u.state = 'active'
                               and u.auth_epoch = new.auth_epoch) then
            perform witness.breach('dead_accepted', 'refresh token of family ' || new.family_id);
          end if;
          return null;
        end $$;

        create function witness.check_session() returns trigger language plpgsql security definer as $$
        begin
          perform witness.breach('dead_accepted', 'session ' || new.id || ' ended as ' || old.end_reason
                                 || ' and is changed');
          return null;
        end $$;

        create function witness.check_epoch() returns trigger language plpgsql security definer as $$
        begin
          if new.auth_epoch < old.auth_epoch
             or (new.state = 'deactivated' and old.state = 'active' and new.auth_epoch = old.auth_epoch) then
            perform witness.breach('dead_accepted', 'the epoch of ' || new.id || ' was not raised');
          end if;
          return null;
        end $$;

        create function witness.event_changed() returns trigger language plpgsql security definer as $$
        begin
          perform witness.breach('event_lost', old.kind || ' ' || old.id);
          return null;
        end $$;

        create function witness.event_written() returns trigger language plpgsql security definer as $$
        begin
          perform witness.burn();
          return null;
        end $$;

        """

    static let events = WitnessEvents.functions
    static let triggers = WitnessEvents.triggers
}

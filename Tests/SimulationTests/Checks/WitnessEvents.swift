/// Which change has to have which audit event, in the transaction of the change.
enum WitnessEvents {
    static let functions = """
        create function witness.require_event(app uuid, kinds text[], what text, about_user uuid default null,
                                              about_session uuid default null) returns void
        language plpgsql security definer as $$
        begin
          if not exists (select from public.audit_events
                          where app_id = app and transaction_id = pg_current_xact_id() and kind = any (kinds)
                            and (about_user is null or user_id = about_user)
                            and (about_session is null or session_id = about_session)) then
            perform witness.breach('change_without_event', what || ', no ' || array_to_string(kinds, ' or '));
          end if;
        end $$;

        -- The events are named by the trigger, separated by commas, since they are the same for each row.
        create function witness.check_event() returns trigger language plpgsql security definer as $$
        begin
          perform witness.require_event(case when tg_op = 'DELETE' then old.app_id else new.app_id end,
                                        string_to_array(tg_argv[0], ','), tg_op || ' of ' || tg_table_name);
          return null;
        end $$;

        create function witness.check_user_event() returns trigger language plpgsql security definer as $$
        begin
          perform witness.require_event(
            new.app_id,
            case when new.state <> old.state then array['user.' || replace(new.state, 'active', 'reactivated')]
                 when new.email_verified_at is distinct from old.email_verified_at then array['user.verified']
                 else array['user.signed_out_everywhere'] end,
            'a change of a user', case when new.state = 'deactivated' then new.id end);
          return null;
        end $$;

        create function witness.check_flow_event() returns trigger language plpgsql security definer as $$
        begin
          perform witness.require_event(
            new.app_id,
            case when new.state = 'passed' then array['user.verified']
                 when new.reason = 'superseded' then array['sign_up.started']
                 when new.reason = 'user_deactivated' then array['user.deactivated']
                 else array['verification.refused'] end,
            'a flow that ' || new.state, case when new.state = 'passed' then new.user_id end);
          return null;
        end $$;

        create function witness.check_session_event() returns trigger language plpgsql security definer as $$
        begin
          perform witness.require_event(
            new.app_id,
            case when new.end_reason = 'signed_out_everywhere' then array['user.signed_out_everywhere']
                 when new.end_reason = 'user_deactivated' then array['user.deactivated']
                 when new.end_reason in ('refresh_reused', 'code_reused') then array['token.refused']
                 else array['session.ended'] end,
            'a session that ended as ' || new.end_reason, new.user_id,
            case when new.end_reason not in ('signed_out_everywhere', 'user_deactivated') then new.id end);
          return null;
        end $$;

        """

    /// Written as `table, when, function, condition, argument`; those on commit see the whole transaction.
    static let triggers =
        now("outbox", "insert", "message_owed") + now("deliveries", "insert", "message_ended")
        + now("flows", "update of state", "check_flow", "old.state <> new.state or old.state = 'passed'")
        + now(
            "authorization_codes", "update of redeemed_at", "check_code",
            "new.redeemed_at is distinct from old.redeemed_at")
        + now("refresh_tokens", "update of used_at", "check_refresh", "new.used_at is distinct from old.used_at")
        + now(
            "sessions", "update of ended_at", "check_session",
            "old.ended_at is not null and new.ended_at is distinct from old.ended_at")
        + now("users", "update", "check_epoch") + now("audit_events", "update or delete", "event_changed")
        + onCommit("audit_events", "insert", "event_written")
        + onCommit("outbox", "insert or delete", "check_place") + onCommit("deliveries", "insert", "check_place")
        + onCommit("delivery_attempts", "insert", "check_attempt")
        + onCommit(
            "users", "update", "check_user_event",
            "new.state <> old.state or new.email_verified_at is distinct from old.email_verified_at "
                + "or new.auth_epoch <> old.auth_epoch")
        + onCommit("flows", "update", "check_flow_event", "new.state <> old.state")
        + onCommit(
            "sessions", "update", "check_session_event", "old.ended_at is null and new.ended_at is not null")
        + onCommit("users", "insert", "check_event", "", "sign_up.started")
        + onCommit("flows", "insert", "check_event", "", "sign_up.started")
        + onCommit("sessions", "insert", "check_event", "", "session.started")
        + onCommit("refresh_tokens", "insert", "check_event", "", "token.refreshed,session.started")
        + onCommit("authorization_codes", "insert", "check_event", "", "sign_in.passed")
        + onCommit(
            "authorization_codes", "update", "check_event", "old.redeemed_at is null and new.redeemed_at is not null",
            "session.started")
        + onCommit("credentials", "insert or update", "check_event", "", "user.verified")
        + onCommit("webhook_endpoints", "insert", "check_event", "", "webhook_endpoint.created")
        + onCommit(
            "webhook_endpoints", "update", "check_event", "", "webhook_endpoint.changed,webhook_endpoint.disabled")
        + onCommit("webhook_endpoints", "delete", "check_event", "", "webhook_endpoint.deleted")
        + onCommit("webhook_secrets", "insert", "check_event", "", "webhook_endpoint.created,webhook_secret.rotated")
        + onCommit("signing_keys", "insert", "check_event", "", "signing_key.created,app.created")
        + onCommit("signing_keys", "update", "check_event", "", "signing_key.activated,signing_key.retired")
        + onCommit("signing_keys", "delete", "check_event", "", "signing_key.deleted")
        + onCommit(
            "outbox", "update", "check_event", "new.held_at is distinct from old.held_at",
            "message.held,message.released")
        + onCommit("outbox", "insert", "check_event", "new.replay_of is not null", "message.resent,message.redriven")
        + onCommit(
            "deliveries", "insert", "check_event", "new.outcome = 'cancelled'", "message.cancelled,user.deactivated")

    private static func now(
        _ table: String, _ event: String, _ function: String, _ condition: String = ""
    ) -> String {
        trigger("trigger", table, event, "", function, condition, "")
    }

    private static func onCommit(
        _ table: String, _ event: String, _ function: String, _ condition: String = "", _ argument: String = ""
    ) -> String {
        trigger("constraint trigger", table, event, "deferrable initially deferred", function, condition, argument)
    }

    private static func trigger(
        _ kind: String, _ table: String, _ event: String, _ deferral: String, _ function: String, _ condition: String,
        _ argument: String
    ) -> String {
        let name = "witness_\(function)_\(event.split(separator: " ")[0])_\(condition.isEmpty ? "all" : "some")"
        return """
            create \(kind) \(name) after \(event) on public.\(table) \(deferral) for each row
            \(condition.isEmpty ? "" : "when (\(condition))")
            execute function witness.\(function)(\(argument.isEmpty ? "" : "'\(argument)'"));

            """
    }
}

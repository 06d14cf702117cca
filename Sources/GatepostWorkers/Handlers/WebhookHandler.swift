package import GatepostDelivery
package import GatepostModel
package import GatepostOutbox
package import GatepostStore
package import Logging

/// Sends `webhook.notice`: signs what happened and posts it to an endpoint of the app.
///
/// Endpoint, app and secrets are read here, at send time: an endpoint that was deleted or disabled meanwhile gets
/// nothing more, and a secret that was rotated signs as long as it lives.
package struct WebhookHandler: Handler {
    /// Tries at an endpoint that answers 3xx or 4xx: it may be a deployment that is not ready, no more.
    package static let refusedAttemptsMax = 3

    private let database: Database
    private let clock: any WallClock
    private let random: any RandomSource
    private let keys: KeyRing
    private let transport: HTTPTransport
    private let logger: Logger
    private let targets: GatheredReads<AppScope, WebhookEndpointID, WebhookTarget>

    /// Wires the handler.
    package init(
        database: Database, clock: any WallClock, random: any RandomSource, keys: KeyRing, transport: HTTPTransport,
        logger: Logger
    ) {
        (self.database, self.clock, self.random) = (database, clock, random)
        (self.keys, self.transport, self.logger) = (keys, transport, logger)
        targets = GatheredReads { scope, endpoints in
            try await database.batch(in: scope) { $0.webhookTargets(endpoints, at: clock.now) }
        }
    }

    package func handle(_ message: ClaimedMessage, deadline: Duration) async -> HandlerResult {
        guard let notice = WebhookNotice(message) else { return .ended(.obsolete, reason: "notice_unreadable") }
        do {
            guard let app = try await database.app(message.app) else {
                return .ended(.obsolete, reason: "app_missing")
            }
            guard !app.isSuspended else { return .ended(.suppressed, reason: "app_suspended") }
            let target = try await targets.value(of: notice.endpoint, in: app.scope)
            guard let target else { return .ended(.obsolete, reason: "endpoint_missing") }
            guard target.isEnabled else { return .ended(.obsolete, reason: "endpoint_disabled") }
            return try await send(notice, to: target, of: app.scope, as: message, deadline: deadline)
        } catch {
            return .failedBeforeNetwork("\(error)")
        }
    }

    private func send(
        _ notice: WebhookNotice, to target: WebhookTarget, of scope: AppScope, as message: ClaimedMessage,
        deadline: Duration
    ) async throws -> HandlerResult {
        // A secret of a retired key epoch does not open; the other one, if there is one, still signs.
        let secrets = target.secrets.compactMap { secret in
            try? WebhookSecret(sealed: secret.sealed, as: secret.id, in: scope.appID, keys: keys)
        }
        guard !secrets.isEmpty else { return .failedBeforeNetwork("no secret of the endpoint opens") }
        let body = try WebhookBody(notice, in: scope.appID).bytes
        let start = clock.now
        let signature = WebhookSignature(of: body, id: message.id.description, at: start, secrets: secrets)
        let result = await transport.postNotice(
            body, to: target.url, signature: signature, trace: .current, now: start, deadline: deadline)
        if result.code == 410 {
            return await disable(notice.endpoint, in: scope, after: result, of: message, startedAt: start)
        }
        await note(result, of: notice.endpoint, wasFailing: target.isFailing, in: scope)
        let isLast = message.attemptCount + 1 >= Self.refusedAttemptsMax
        guard result.outcome == .permanent, result.reachedNetwork, !isLast else { return .attempt(result) }
        return .attempt(AttemptResult(.transient, code: result.code, reply: result.reply))
    }

    /// Ends the message and disables the endpoint, in one transaction: it said that it is gone.
    ///
    /// Where that cannot be, the attempt is settled as any other, and the next notice asks the endpoint again.
    private func disable(
        _ endpoint: WebhookEndpointID, in scope: AppScope, after result: AttemptResult, of message: ClaimedMessage,
        startedAt: Instant
    ) async -> HandlerResult {
        let now = clock.now
        let attempt = Attempt(result, startedAt: startedAt, endedAt: now)
        let ending = Settlement(of: message, .ended(.rejected, reason: "endpoint_gone"), attempt: attempt, at: now)
        var event = AuditEvent(
            .webhookEndpointDisabled, by: .worker, id: .make(at: now, random: random), at: now, origin: .none,
            reason: WebhookDisabledReason.gone.rawValue)
        event.details = ["webhook_endpoint": endpoint.description]
        do {
            let isSettled = try await database.transaction(in: scope) { [event] transaction in
                guard try await transaction.settleLocally(ending) else { return false }
                let isChanged = try await transaction.batch { $0.disableWebhookEndpoint(endpoint, .gone, at: now) }
                if isChanged { try await transaction.batch { $0.record(event) } }
                return true
            }
            return isSettled ? .settled : .attempt(result)
        } catch {
            tell("an endpoint that is gone could not be disabled", endpoint, scope, error)
            return .attempt(result)
        }
    }

    /// Notes since when an endpoint fails, or that it does no more; a job disables one that has failed for days.
    ///
    /// Only where that changes: an endpoint that works costs no write. What cannot be noted is noted at the next try.
    private func note(
        _ result: AttemptResult, of endpoint: WebhookEndpointID, wasFailing: Bool, in scope: AppScope
    ) async {
        let isTaken = result.outcome == .delivered
        guard result.reachedNetwork, !isTaken || wasFailing else { return }
        let now = clock.now
        do {
            try await database.batch(in: scope, durability: .asynchronous) { batch in
                if isTaken {
                    batch.noteWebhookSuccess(endpoint)
                } else {
                    batch.noteWebhookFailure(endpoint, at: now)
                }
            }
        } catch {
            tell("whether an endpoint fails could not be noted", endpoint, scope, error)
        }
    }

    private func tell(
        _ what: Logger.Message, _ endpoint: WebhookEndpointID, _ scope: AppScope, _ error: any Error
    ) {
        logger.error(
            what, metadata: ["app.id": "\(scope.appID)", "webhook_endpoint": "\(endpoint)", "error": "\(error)"])
    }
}

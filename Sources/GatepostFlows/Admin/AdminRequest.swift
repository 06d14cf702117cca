package import GatepostModel
package import GatepostStore

/// A write that somebody asks of the admin API: who, from where, and under which name of theirs.
package struct AdminRequest: Sendable {
    package let principal: AdminPrincipal
    package let origin: RequestOrigin
    package let idempotencyKey: IdempotencyKey?

    /// Gathers what authentication and the request say.
    package init(_ principal: AdminPrincipal, from origin: RequestOrigin, idempotencyKey: IdempotencyKey? = nil) {
        (self.principal, self.origin, self.idempotencyKey) = (principal, origin, idempotencyKey)
    }

    /// Who the audit trail says it was.
    var actor: AuditEvent.Actor { AuditEvent.Actor(principal) }
}

/// What an admin's write came to.
package enum AdminOutcome<Value: Sendable>: Sendable {
    /// Done, now or by an earlier request under the same idempotency key.
    case done(Value)
    case refused(Refusal)
}

extension AppTransaction {
    /// Carries out a write of an admin's, at most once under an idempotency key.
    ///
    /// - Parameters:
    ///   - request: Who asks, and under which key.
    ///   - id: What the write makes or changes; a repeat answers with the id that the first one had.
    ///   - occasion: The request's moment.
    ///   - body: The write and its audit event; a refusal if what is there does not allow it.
    /// - Returns: The id of what was made or changed, or the refusal, whose event is written here.
    /// - Throws: What the body throws, or `PostgresError`.
    func once<Kind>(
        _ request: AdminRequest, _ id: TypedID<Kind>, _ occasion: Occasion, _ body: () async throws -> Refusal?
    ) async throws -> AdminOutcome<TypedID<Kind>> {
        switch try await claim(request.idempotencyKey, reference: id.description, at: occasion.now) {
        case .first:
            guard let refusal = try await body() else { return .done(id) }
            try await batch { batch in
                if let key = request.idempotencyKey { batch.release(key) }
                batch.record(occasion.event(.requestRefused, by: request.actor, reason: refusal.code.rawValue))
            }
            return .refused(refusal)
        case .repeated(let reference):
            guard let known = TypedID<Kind>(reference) else { return .refused(Refusal(.idempotencyKeyReused)) }
            return .done(known)
        case .reused:
            try await batch { batch in
                batch.record(
                    occasion.event(
                        .requestRefused, by: request.actor, reason: ProblemCode.idempotencyKeyReused.rawValue))
            }
            return .refused(Refusal(.idempotencyKeyReused))
        }
    }
}

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
        let outcome = try await once(request.idempotencyKey, by: request.actor, naming: id.description, occasion) {
            try await body().map(AdminOutcome.refused) ?? .done(id.description)
        }
        switch outcome {
        case .done(let reference): return TypedID(reference).map(AdminOutcome.done) ?? .refused(.reusedKey)
        case .refused(let refusal): return .refused(refusal)
        }
    }

    /// The same for a write that knows only at its end what a repeat is to be answered with.
    ///
    /// - Parameters:
    ///   - key: The caller's name for the write; nil for a caller that sent none.
    ///   - actor: Who asks.
    ///   - reference: What the answer is probably rendered from.
    ///   - occasion: The request's moment.
    ///   - body: The write and its audit event, and what its answer is rendered from.
    /// - Returns: What the answer is rendered from, or the refusal, whose event is written here.
    /// - Throws: What the body throws, or `PostgresError`.
    func once(
        _ key: IdempotencyKey?, by actor: AuditEvent.Actor, naming reference: String, _ occasion: Occasion,
        _ body: () async throws -> AdminOutcome<String>
    ) async throws -> AdminOutcome<String> {
        switch try await claim(key, reference: reference, at: occasion.now) {
        case .first:
            let outcome = try await body()
            switch outcome {
            case .done(let made):
                if let key, made != reference { try await batch { $0.setReference(made, of: key) } }
            case .refused(let refusal):
                try await batch { batch in
                    if let key { batch.release(key) }
                    batch.record(occasion.event(.requestRefused, by: actor, reason: refusal.code.rawValue))
                }
            }
            return outcome
        case .repeated(let known):
            return .done(known)
        case .reused:
            try await batch { batch in
                batch.record(occasion.event(.requestRefused, by: actor, reason: Refusal.reusedKey.code.rawValue))
            }
            return .refused(.reusedKey)
        }
    }
}

extension Refusal {
    /// An idempotency key that came with another request before.
    fileprivate static let reusedKey = Refusal(.idempotencyKeyReused)
}

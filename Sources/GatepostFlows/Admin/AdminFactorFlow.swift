package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// What admins do with a user's second factor: take it away when it is lost.
package struct AdminFactorFlow: Sendable {
    let mail: MailFlowParts

    /// Wires the flow.
    package init(mail: MailFlowParts) {
        self.mail = mail
    }

    /// Takes a user's second factor away, with its recovery codes, and tells them.
    ///
    /// Whoever has lost it sets up another one at the next sign-in where one is required. All sessions end: whoever
    /// else has the authenticator is signed out. A user without one stays as they are, and no event is written. A user
    /// of the built-in app is an admin, and to take away what protects their rights is a change of these.
    ///
    /// - Parameters:
    ///   - id: Whose.
    ///   - note: Why, in the admin's own words, for the audit trail.
    ///   - request: Who asks.
    ///   - scope: The user's app.
    /// - Returns: The user's id, or why not.
    /// - Throws: `PostgresError`.
    package func reset(
        of id: UserID, note: String?, for request: AdminRequest, in scope: AppScope
    ) async throws -> AdminOutcome<UserID> {
        let occasion = mail.occasion(from: request.origin)
        let outcome = try await mail.database.transaction(in: scope) { transaction in
            try await transaction.once(request, id, occasion) {
                if scope.appID == .gatepost,
                    let refusal = try await transaction.refusal(toChange: id, by: request, { $0 })
                {
                    return refusal
                }
                guard try await transaction.lockUser(id) else { return Refusal(.notFound) }
                let user = try await transaction.batch { $0.user(id) }
                guard let user, let email = EmailAddress(user.email) else { return Refusal(.notFound) }
                guard try await transaction.batch({ $0.deleteFactors(of: id) }) else { return nil }
                try await transaction.batch { batch in
                    let parts = FactorParts(mail: mail)
                    let person = FactorParts.Person(id: id, email: email)
                    parts.endOthers(of: person, except: nil, .factorReset, in: &batch, occasion)
                    parts.notify(person, .reset, in: &batch, occasion)
                    // Whoever guessed at it guessed at what is gone.
                    batch.refund(Limits.factor(of: id), at: occasion.now)
                    var event = occasion.event(.factorReset, by: request.actor, userID: id)
                    if let note { event.details["note"] = note }
                    batch.record(event)
                }
                return nil
            }
        }
        mail.signal.raise()
        return outcome
    }
}

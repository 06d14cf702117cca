package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// Finishing a sign-up that was begun on a hosted page: whoever proves the address there is signed in at once.
///
/// Only in the browser that began it, whose password it is; the link opened anywhere else signs nobody in.
extension VerificationFlow {
    /// What a try on a page came to.
    package enum PageOutcome: Sendable {
        /// Where the sign-in ended; nil where nobody could be signed in, as when the app is the only one who may.
        case verified(SignInEnding.Ended?)
        case refused(Refusal)
    }

    /// Finishes by the link, in the browser that began the sign-up, and goes on with what that browser began last.
    package func confirm(
        _ link: OneTimeToken, by tokens: BrowserTokens, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> PageOutcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        guard let browser = tokens.browser else { return .refused(Refusal(.invalidLink)) }
        let waiting = try await database.batch(in: scope) {
            $0.latestAuthorizationRequest(heldBy: browser, at: occasion.now)
        }
        let next = try await continuation(waiting?.id, tokens, in: scope, occasion)
        return Self.outcome(
            try await pass(
                .link(link, startedBy: browser), passwordHash: nil, orElse: Refusal(.invalidLink), in: scope, occasion,
                then: next))
    }

    /// Finishes by the typed code, in the browser that began the sign-up.
    package func verify(
        _ flow: FlowID, code: String, for request: AuthorizationRequestID?, by tokens: BrowserTokens,
        in scope: AppScope, from origin: RequestOrigin
    ) async throws -> PageOutcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        guard let browser = tokens.browser else { return .refused(Refusal(.invalidFlow)) }
        let next = try await continuation(request, tokens, in: scope, occasion)
        return Self.outcome(
            try await verify(flow, startedBy: browser, code: code, in: scope, occasion, then: next))
    }

    /// The address that a sign-up of this browser waits to have proved; nil if it no longer waits.
    package func waiting(
        _ flow: FlowID, by tokens: BrowserTokens, in scope: AppScope
    ) async throws -> String? {
        guard let browser = tokens.browser else { return nil }
        let now = clock.now
        let record = try await database.batch(in: scope) { $0.flow(flow, heldBy: browser) }
        return record.flatMap { $0.kind == .signUp && $0.isPending && $0.expiresAt > now ? $0.email : nil }
    }

    private static func outcome(_ passed: (Outcome, SignInEnding.Ended?)) -> PageOutcome {
        switch passed.0 {
        case .verified: .verified(passed.1)
        case .refused(let refusal): .refused(refusal)
        }
    }

    /// What signs the user in, in the transaction that verifies the address: for the client that still waits, or else
    /// for the account's own pages.
    private func continuation(
        _ request: AuthorizationRequestID?, _ tokens: BrowserTokens, in scope: AppScope, _ occasion: Occasion
    ) async throws -> Continuation {
        let visit = try await database.batch(in: scope) { $0.visit(request, tokens, at: occasion.now) }
        let goal = visit.goal ?? .account(browser: tokens.browser)
        return { [ending] batch, user in
            let proof = SignInProof(userID: user, authEpoch: nil, amr: ["pwd"], authenticatedAt: occasion.now)
            return ending.add(
                goal, for: proof, .new(replacing: visit.session?.id), to: &batch, from: occasion.origin,
                at: occasion.now)
        }
    }
}

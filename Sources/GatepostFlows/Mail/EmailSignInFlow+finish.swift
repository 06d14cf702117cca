package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// The end of a sign-in by mail: by the typed code, or by the link where it began.
extension EmailSignInFlow {
    /// Finishes by the typed code for a client with screens of its own; five tries.
    package func verify(
        _ flow: FlowID, heldBy token: OneTimeToken, code: String, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        try await verify(flow, heldBy: token, code: code, .none, in: scope, from: origin)
    }

    /// Finishes by the typed code on a hosted page; five tries.
    package func verify(
        _ flow: FlowID, by tokens: BrowserTokens, code: String, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = parts.occasion(from: origin)
        guard let browser = tokens.browser else {
            return try await refuse(Refusal(.invalidFlow), in: scope, occasion)
        }
        let session = try await hostedSession(tokens, in: scope, occasion)
        return try await verify(flow, heldBy: browser, code: code, .new(replacing: session), in: scope, from: origin)
    }

    /// Looks at a link; uses nothing up.
    package func look(at link: OneTimeToken, by holders: LinkHolders, in scope: AppScope) async throws -> LinkState {
        let now = parts.clock.now
        let standing = try await parts.database.batch(in: scope) { batch in
            batch.standingFlow(link: link, epochs: parts.keys.epochs, at: now)
        }
        guard let flow = standing, flow.kind == .emailSignIn else { return .gone }
        return .standing(email: flow.email, LinkPlace(of: flow, holders), flow.requestID)
    }

    /// Finishes by the link in the browser that began on a hosted page; another one's click uses nothing up.
    package func confirm(
        _ link: OneTimeToken, by tokens: BrowserTokens, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = parts.occasion(from: origin)
        guard let browser = tokens.browser else {
            return try await refuse(Refusal(.invalidLink), in: scope, occasion)
        }
        let session = try await hostedSession(tokens, in: scope, occasion)
        return try await pass(
            .link(link, startedBy: browser), heldBy: browser, .new(replacing: session), orElse: Refusal(.invalidLink),
            in: scope, occasion)
    }

    private func hostedSession(
        _ tokens: BrowserTokens, in scope: AppScope, _ occasion: Occasion
    ) async throws -> SessionID? {
        guard let token = tokens.session else { return nil }
        return try await parts.database.batch(in: scope) { $0.hostedSession(token, at: occasion.now) }?.id
    }

    private func verify(
        _ flow: FlowID, heldBy token: OneTimeToken, code: String, _ hosting: SignInEnding.Hosting,
        in scope: AppScope, from origin: RequestOrigin
    ) async throws -> Outcome {
        let occasion = parts.occasion(from: origin)
        let outcome = try await parts.codes.attempt(
            .init(code: code, flow: flow, holder: token, kind: .emailSignIn, refused: .signInRefused), in: scope,
            occasion)
        switch outcome {
        case .refused(let refusal, let isRecorded):
            return isRecorded ? .refused(refusal) : try await refuse(refusal, in: scope, occasion, flow: flow)
        case .right(let proof):
            return try await pass(
                proof, heldBy: token, hosting, orElse: Refusal(.invalidFlow), in: scope, occasion, flow: flow)
        }
    }

    /// Uses the flow up and answers whoever waits, in one transaction: of any number of racing callers one signs in.
    ///
    /// Whoever reads the mailbox has proved the address. If it waited for that, the account is opened by this, and
    /// what somebody else has prepared for it dies: the password of a sign-up, with its flow (pre-hijack).
    private func pass(
        _ proof: FlowProof, heldBy token: OneTimeToken, _ hosting: SignInEnding.Hosting, orElse refusal: Refusal,
        in scope: AppScope, _ occasion: Occasion, flow: FlowID? = nil
    ) async throws -> Outcome {
        let ended: SignInEnding.Ended? = try await parts.database.transaction(in: scope) { transaction in
            let consumed = try await transaction.consumeFlow(
                .emailSignIn, proof, epochs: parts.keys.epochs, at: occasion.now)
            guard let consumed, let user = consumed.userID else { return nil }
            let goal: SignInEnding.Goal = consumed.requestID.map { .request($0, heldBy: token) } ?? .account
            let proof = SignInProof(
                userID: user, authEpoch: nil, amr: Self.methods, authenticatedAt: occasion.now)
            var (isOpened, ended) = try await transaction.batch { batch in
                let isOpened = batch.verifyAddress(of: user, at: occasion.now)
                let ended = ending.add(
                    goal, for: proof, hosting, to: &batch, from: occasion.origin, at: occasion.now)
                // Whoever reads the mailbox is not kept out by what strangers have guessed (decision 25).
                if let email = EmailAddress(consumed.email) {
                    batch.refund(parts.limits.proved(email), at: occasion.now)
                }
                return isOpened.and(ended)
            }
            ended?.device = EmailAddress(consumed.email).map { email in
                DeviceToken.make(
                    for: email, in: scope.appID, at: occasion.now, keys: parts.keys, random: parts.random
                ).secret
            }
            guard isOpened else { return ended }
            try await transaction.batch { batch in
                batch.refuseFlows(ofUser: user, butUndoing: "address_verified", at: occasion.now)
                batch.owe(.userVerified, about: user, at: occasion.now)
                batch.record(occasion.event(.userVerified, by: .user, userID: user, flowID: consumed.id))
            }
            return ended
        }
        guard let ended else { return try await refuse(refusal, in: scope, occasion, flow: flow) }
        parts.signal.raise()
        return .ended(ended)
    }

    private func refuse(
        _ refusal: Refusal, in scope: AppScope, _ occasion: Occasion, flow: FlowID? = nil
    ) async throws -> Outcome {
        try await parts.record(refusal, as: .signInRefused, in: scope, occasion, flow: flow)
        return .refused(refusal)
    }
}

package import GatepostModel
import GatepostOutbox
package import GatepostStore

/// Linking: a user who is signed in has a provider prove who they are there, and it signs them in from then on.
///
/// On the pages the answer must come to the browser and the session that asked. An app's own screens have neither:
/// there the answer becomes a code that the browser carries back, and the session that asked redeems it. Whoever has
/// only one of the two, such as a person who was lured into finishing somebody else's way, links nothing (decision 30).
extension ProviderSignInFlow {
    /// Links what the provider has proved, or hands out the code that does.
    func link(
        _ redeemed: ProviderClient.Redeemed, as link: IdentityLink, on way: Way
    ) async throws -> Outcome {
        let (id, now): (UserIdentityID, Instant) = (way.occasion.id(), clock.now)
        let profile = redeemed.profile
        let proven = ProvenIdentity(
            id: id, subject: profile.subject, email: profile.email, emailIsVerified: profile.emailIsVerified,
            tokensSealed: try sealed(redeemed, for: id, on: way))
        if let back = way.signIn.back {
            let code = OneTimeToken.make(.identityLink, random: random)
            try await database.batch(in: way.scope) { batch in
                batch.proveProviderSignIn(way.signIn.id, proven, code: code, at: now)
            }
            return .sentBack(
                location: RedirectLocation.text(
                    back.redirectURI,
                    [
                        ("link_code", code.secret.revealed), ("state", back.state),
                        ("iss", TokenIssuer.issuer(of: way.scope.appID, baseURL: baseURL)),
                    ]))
        }
        guard way.session?.id == link.session else {
            return try await refuse(Refusal(.sessionEnded), way, user: link.user)
        }
        let linking = try await database.batch(in: way.scope) { batch in
            batch.proveProviderSignIn(way.signIn.id, proven, linkedAt: now, at: now)
            return add(link, of: way.signIn.id, to: &batch, way.occasion, at: now)
        }
        if let refusal = Self.refusal(of: linking) { return try await refuse(refusal, way, user: link.user) }
        return .linked
    }

    /// Redeems the code that a browser has carried back to an app, in the name of the session that asked.
    ///
    /// - Parameters:
    ///   - code: The code.
    ///   - asking: Who, and from which session.
    ///   - scope: The app.
    ///   - origin: Where the request came from.
    /// - Returns: The identity, or why not.
    /// - Throws: `PostgresError`.
    package func redeemLink(
        _ code: OneTimeToken, for asking: Asking, in scope: AppScope, from origin: RequestOrigin
    ) async throws -> LinkOutcome {
        let occasion = Occasion(now: clock.now, origin: origin, random: random)
        let way = try await database.batch(in: scope) { batch in
            batch.identityLink(code: code, from: asking.session, at: occasion.now)
        }
        guard let way else {
            return .refused(
                try await refuse(Refusal(.invalidCode), nil, user: asking.user.id, in: scope, occasion))
        }
        let linking = try await database.batch(in: scope) { batch in
            batch.redeemIdentityLink(way, by: asking.session, at: occasion.now)
            return add(asking.link, of: way, to: &batch, occasion, at: occasion.now)
        }
        guard case .linked(let identity) = linking else {
            let refusal = Self.refusal(of: linking) ?? Refusal(.invalidCode)
            return .refused(try await refuse(refusal, nil, user: asking.user.id, in: scope, occasion))
        }
        return .linked(identity)
    }

    /// What redeeming a code came to.
    package enum LinkOutcome: Sendable {
        case linked(UserIdentityID)
        case refused(Refusal)
    }

    private func add(
        _ link: IdentityLink, of way: ProviderSignInID, to batch: inout AppBatch, _ occasion: Occasion, at now: Instant
    ) -> BatchReading<IdentityLinking> {
        let linking = batch.linkIdentity(of: way, in: link.session, at: now)
        let moment = Occasion(now: now, origin: occasion.origin, random: random)
        let event = moment.event(.identityLinked, by: .user)
        batch.record(event, ifIdentityLinkedOn: way)
        batch.enqueue(.identityLinked, occasion.id(), ifRecorded: event)
        return linking
    }

    private static func refusal(of linking: IdentityLinking) -> Refusal? {
        switch linking {
        case .linked: nil
        case .isTaken: Refusal(.identityTaken)
        case .isGone: Refusal(.sessionEnded)
        }
    }
}

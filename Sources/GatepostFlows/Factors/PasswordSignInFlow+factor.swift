import GatepostModel
import GatepostStore

/// What follows a right password for which no code was issued, since a second factor is asked for.
extension PasswordSignInFlow {
    /// Lets the sign-in wait for its second factor; nil if it was something else that kept the code back.
    ///
    /// What the client asks for is written down as if a page had been asked, and ends as there.
    ///
    /// - Parameters:
    ///   - client: For whom.
    ///   - credential: The password that was right.
    ///   - scope: The app.
    ///   - occasion: The request's moment.
    ///   - now: When the password was found to be right.
    /// - Returns: How it goes on.
    /// - Throws: `PostgresError`.
    func goOn(
        _ client: Client, _ credential: PasswordCredential, in scope: AppScope, _ occasion: Occasion, at now: Instant
    ) async throws -> Outcome? {
        let holder = OneTimeToken.make(.flow, random: random)
        var request = NewAuthorizationRequest(
            id: occasion.id(), clientID: client.id, redirectURI: client.redirectURI, challenge: client.challenge,
            holder: holder, at: now)
        request.registeredURI = client.registeredURI
        let proof = SignInProof(
            userID: credential.userID, authEpoch: credential.authEpoch, amr: ["pwd"], authenticatedAt: now,
            condition: .credential(version: credential.version))
        let ended = try await database.batch(in: scope) { [request] batch in
            batch.insertAuthorizationRequest(request, ifStands: proof)
            return ending.add(
                .request(request.id, heldBy: holder), for: proof, .none, to: &batch, from: occasion.origin, at: now)
        }
        if let challenge = ended?.challenge { return .factorAsked(challenge) }
        // The second factor was taken away between the two.
        return ended?.answer.map { .passed($0.code) }
    }
}

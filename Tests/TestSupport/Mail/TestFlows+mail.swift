package import GatepostFlows
package import GatepostModel
package import GatepostStore

/// Flows whose secrets travel in mails, for tests that begin where a step before has succeeded.
extension TestFlows {
    /// Another password that the policy takes.
    package static let newPassword = Secret("nine boats beside an amber jetty")

    /// The app's scope with other settings, as a node that remembers nothing reads it.
    package func scope(with settings: AppSettings) async throws -> AppScope {
        try await database.transaction(in: scope) { try await $0.changeSettings(settings) }
        guard let scope = try await Database(pool: TestDatabase.current.pool).scope(of: app.id) else {
            throw StepRefused(refusal: nil)
        }
        return scope
    }

    /// What the mail of a flow says, derived as the worker does.
    package func secrets(of flow: FlowID, _ kind: FlowKind) -> FlowSecrets {
        FlowSecrets(app: app.id, flow: flow, kind: kind, keys: app.keys)
    }

    /// The flow that was begun; throws the refusal.
    package func started(_ start: FlowStart) throws -> StartedFlow {
        switch start {
        case .started(let started): return started
        case .refused(let refusal): throw StepRefused(refusal: refusal)
        }
    }

    /// Begins a sign-in by mail, as a client with screens of its own does.
    package func beginEmailSignIn(_ email: EmailAddress, in other: AppScope? = nil) async throws -> StartedFlow {
        try started(
            await flows.emailSignIn.start(
                email, to: client(), locale: nil, in: other ?? scope, from: Self.origin))
    }

    /// Tries a code of a sign-in by mail; the right one unless another is given.
    package func finishEmailSignIn(
        _ begun: StartedFlow, code: String? = nil, heldBy token: OneTimeToken? = nil
    ) async throws -> EmailSignInFlow.Outcome {
        try await flows.emailSignIn.verify(
            begun.flow, heldBy: token ?? begun.token,
            code: code ?? secrets(of: begun.flow, .emailSignIn).code.revealed, in: scope, from: Self.origin)
    }

    /// Begins a password reset.
    package func beginReset(_ email: EmailAddress) async throws -> StartedFlow {
        try started(await flows.passwordReset.start(email, locale: nil, in: scope, from: Self.origin))
    }

    /// Chooses a password by a reset's link.
    package func reset(
        by link: OneTimeToken, to password: Secret = TestFlows.newPassword, in other: AppScope? = nil
    ) async throws -> PasswordResetFlow.Outcome {
        try await flows.passwordReset.confirm(link, choosing: password, in: other ?? scope, from: Self.origin)
    }

    /// Who asks, by the session of some tokens.
    package func asking(_ tokens: TokenAnswer) async throws -> Asking {
        guard let session = try await session(tokens) else { throw StepRefused(refusal: nil) }
        return Asking(session)
    }

    /// Begins a change of address.
    package func beginEmailChange(
        for asking: Asking, to email: EmailAddress, password: Secret? = TestFlows.password
    ) async throws -> StartedFlow {
        try started(
            await flows.emailChange.start(
                for: asking, to: email, password: password, locale: nil, in: scope, from: Self.origin))
    }

    /// Tries the code of a change of address; the right one unless another is given.
    package func finishEmailChange(
        _ begun: StartedFlow, code: String? = nil
    ) async throws -> EmailChangeFlow.Outcome {
        try await flows.emailChange.verify(
            begun.flow, heldBy: begun.token, code: code ?? secrets(of: begun.flow, .emailChange).code.revealed,
            in: scope, from: Self.origin)
    }

    /// Changes an address to the end.
    package func changeEmail(
        for asking: Asking, to email: EmailAddress, password: Secret = TestFlows.password
    ) async throws {
        let outcome = try await finishEmailChange(
            beginEmailChange(for: asking, to: email, password: password))
        if case .refused(let refusal) = outcome { throw StepRefused(refusal: refusal) }
    }

    /// Takes a change back by its link.
    package func undo(
        by link: OneTimeToken, choosing password: Secret = TestFlows.newPassword
    ) async throws -> EmailChangeFlow.Outcome {
        try await flows.emailChange.undo(link, choosing: password, in: scope, from: Self.origin)
    }
}

extension EmailSignInFlow.Outcome {
    /// The answer to the client; nil where there is none.
    package var answer: SignInEnding.Answer? {
        if case .ended(let ended) = self { ended.answer } else { nil }
    }
}

extension PasswordResetFlow.Outcome {
    /// Whose password was changed.
    package var user: UserID? {
        if case .changed(let user) = self { user } else { nil }
    }
}

extension EmailChangeFlow.Outcome {
    /// The address that the user has now.
    package var email: String? {
        if case .changed(let email) = self { email.ascii } else { nil }
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import Testing

extension SignUpFlow.Outcome {
    var started: SignUpFlow.Started? {
        if case .started(let started) = self { started } else { nil }
    }

    var refusal: Refusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }
}

extension VerificationFlow.Outcome {
    var verifiedUser: UserID? {
        if case .verified(let user) = self { user } else { nil }
    }

    var refusal: Refusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }
}

extension VerificationFlow.LinkState {
    var isGone: Bool {
        if case .gone = self { true } else { false }
    }
}

extension PasswordSignInFlow.Outcome {
    var code: OneTimeToken? {
        if case .passed(let code) = self { code } else { nil }
    }

    var refusal: Refusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }
}

extension SessionFlow.Outcome {
    var session: LiveSession? {
        if case .live(let session) = self { session } else { nil }
    }

    var refusal: Refusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }
}

extension EmailAddress {
    /// An address that a test writes down.
    static func of(_ text: String) throws -> EmailAddress {
        try #require(EmailAddress(text))
    }
}

import GatepostFlows
import GatepostModel

/// Asks for the second factor of a sign-in: a code of the authenticator or, where it is lost, a recovery code.
struct FactorCodePage: FormPage {
    let template = "factor-code"
    let problem: FormProblem?
    /// Whether a recovery code is typed.
    let isRecovery: Bool
    /// Where one signs in as somebody else, for the same client.
    let signIn: String
    let formTargets: [String]
}

/// Says that a second factor is asked for and has to be set up first: one button.
struct FactorBeginPage: PageContent {
    let template = "factor-begin"
    /// Where one signs in as somebody else, for the same client.
    let signIn: String
}

/// Sets up an authenticator: what it takes, and its first code.
struct FactorEnrolPage: FormPage {
    let template = "factor-enrol"
    let problem: FormProblem?
    /// The seed in groups of four, as it is typed.
    let secret: String
    /// The link that an authenticator on this device opens.
    let uri: String
    /// The same for the camera of another device; nil where the app's name makes it too long for that.
    let picture: QRPicture?
    /// Where one goes back to; nil in the middle of a sign-in.
    let back: String?

    init(_ waiting: WaitingFactor, problem: FormProblem?, back: String? = nil) {
        (self.problem, self.back, uri) = (problem, back, waiting.uri.revealed)
        picture = QRPicture(uri)
        let letters = Array(waiting.secret.revealed)
        secret = stride(from: 0, to: letters.count, by: 4).map { String(letters[$0..<min($0 + 4, letters.count)]) }
            .joined(separator: " ")
    }
}

/// Shows recovery codes, once, and where to go on.
struct RecoveryCodesPage: PageContent {
    let template = "factor-codes"
    let codes: [String]
    /// Where the form is posted by which a sign-in goes on; nil where the account's page is next.
    let finish: String?
    /// Where the account's page is.
    let account: String
    var formTargets: [String] = []
}

/// The second factor of an account, and what its owner does with it.
struct AccountFactorPage: FormPage {
    let template = "account-factor"
    let problem: FormProblem?
    /// Whether there is one, since when, and how many recovery codes are left.
    let isOn: Bool
    let since: String?
    let recoveryCodeCount: String
    let isRequired: Bool
    let hasPassword: Bool
    /// What was just done.
    let news: String?
    /// Where the forms lead.
    let base: String

    var values: [String: String] { ["count": recoveryCodeCount, "since": since ?? ""] }
}

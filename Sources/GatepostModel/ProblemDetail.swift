/// More of a problem, for the person who reads it: said in English by the API, and by the pages in each language.
///
/// A page's text of it is named after its code and its own name, `conflict_last_way`.
package enum ProblemDetail: String, CaseIterable, Sendable {
    case brokenForm = "broken_form"
    case repeatedParameter = "repeated_parameter"
    case missingPassword = "missing_password"
    case lastWay = "last_way"
    case sameAddress = "same_address"
    case addressTaken = "address_taken"
    case justOpened = "just_opened"
    case identityTaken = "identity_taken"
    case providerKeptAddress = "kept_address"
    case providerDeclined = "declined"
    case redirectNeedsClick = "needs_click"
    case wayIn = "way_in"
    case recoveryWay = "recovery_way"
    case beginAgain = "begin_again"
    case newMail = "new_mail"
    case factorMissing = "factor_missing"
    case factorEnrolled = "factor_enrolled"
    case factorRequired = "factor_required"

    /// The problem that this is more of.
    package var code: ProblemCode {
        switch self {
        case .brokenForm, .repeatedParameter, .missingPassword: .invalidRequest
        case .lastWay, .sameAddress, .addressTaken, .justOpened, .identityTaken, .factorMissing, .factorEnrolled,
            .factorRequired:
            .conflict
        case .providerKeptAddress, .providerDeclined: .invalidProviderAnswer
        case .redirectNeedsClick: .invalidRedirectURI
        case .wayIn, .recoveryWay: .rateLimited
        case .beginAgain, .newMail: .codeAttemptsExhausted
        }
    }

    /// What the API says.
    package var text: String {
        switch self {
        case .brokenForm: "The form is not encoded correctly."
        case .repeatedParameter: "A parameter comes twice."
        case .missingPassword: "password is missing."
        case .lastWay: "Nothing else would let you in: set a password first."
        case .sameAddress: "That is the address already."
        case .addressTaken: "Another account has that address."
        case .justOpened: "Try again: this account has just been opened."
        case .identityTaken: "It belongs to another account, or this account has another one of the same provider."
        case .providerKeptAddress: "The provider did not say which address you have."
        case .providerDeclined: "The provider did not sign you in."
        case .redirectNeedsClick:
            "A redirect URI without TLS needs a click: send the browser to the authorize endpoint."
        case .factorMissing: "There is no second factor to prove: set one up first."
        case .factorEnrolled: "There is a second factor already: prove that one."
        case .factorRequired: "A second factor is required here: replace it instead."
        case .beginAgain: "Too many wrong codes. Begin the sign-in again."
        case .newMail: "Ask for a new mail."
        case .recoveryWay: "Use a recovery code, or have your second factor reset."
        case .wayIn: "Sign in on a device that has signed in before, or set a new password by mail."
        }
    }
}

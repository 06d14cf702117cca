import GatepostFlows
import GatepostModel
import GatepostStore

/// A button that leads to an identity provider.
struct ProviderButton {
    let text: String
    /// Where its form is posted to, with the request that waits.
    let action: String

    init(_ provider: IdentityProviderRecord, text: String, query: String, in app: AppID) {
        self.text = text
        action = "/apps/\(app)/providers/\(provider.name)/start\(query)"
    }
}

/// A provider has said who somebody is, and nobody here is that yet: the owner of the address signs in, or up, and the
/// two are linked.
struct ProviderLinkPage: PageContent {
    let template = "provider-link"
    let email: String
    let signIn: String
    let signUp: String
    /// Whether the provider answers for the address.
    let isVerified: Bool
    let values: [String: String]

    init(_ claim: ProviderSignInFlow.Claim, query: String, app: AppID) {
        (email, isVerified) = (claim.email.ascii, claim.emailIsVerified)
        (signIn, signUp) = ("/apps/\(app)/sign-in\(query)", "/apps/\(app)/sign-up\(query)")
        values = ["provider": claim.providerLabel]
    }
}

/// A provider's answer signs nobody in; the request still waits, and another way may be taken.
struct ProviderFailedPage: PageContent {
    let template = "provider-failed"
    let problem: String
    let signIn: String

    init(problem: String, query: String, app: AppID) {
        self.problem = problem
        signIn = "/apps/\(app)/sign-in\(query)"
    }
}

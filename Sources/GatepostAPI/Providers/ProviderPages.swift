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
    /// Whether no client waits: then only an address that the provider answers for is linked by signing in.
    let isForAccount: Bool
    let values: [String: String]

    init(_ claim: ProviderSignInFlow.Claim, query: String, app: AppID) {
        (email, isVerified, isForAccount) = (claim.email.ascii, claim.emailIsVerified, query.isEmpty)
        (signIn, signUp) = ("/apps/\(app)/sign-in\(query)", "/apps/\(app)/sign-up\(query)")
        values = ["provider": claim.providerLabel]
    }
}

/// A provider's answer signs nobody in, or links nothing; another way may be taken.
struct ProviderFailedPage: PageContent {
    let template = "provider-failed"
    let problem: String
    /// Where to go on: the sign-in page, or the account of whoever wanted to link.
    let next: String
    let isLink: Bool

    init(problem: String, of purpose: ProviderPurpose, app: AppID) {
        self.problem = problem
        switch purpose {
        case .request(let request): (next, isLink) = ("/apps/\(app)/sign-in?request=\(request)", false)
        case .account: (next, isLink) = ("/apps/\(app)/sign-in", false)
        case .link: (next, isLink) = ("/apps/\(app)/account", true)
        }
    }
}

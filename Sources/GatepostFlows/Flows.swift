/// The flows that HTTP offers, wired once; a route takes the one it needs.
package struct Flows: Sendable {
    package let signUp: SignUpFlow
    package let verification: VerificationFlow
    package let signIn: PasswordSignInFlow
    package let codeExchange: CodeExchangeFlow
    package let refresh: RefreshFlow
    package let signOut: SignOutFlow
    package let session: SessionFlow
    package let refusal: RefusalFlow
    package let admin: AdminFlows

    /// Takes the wired flows.
    package init(
        signUp: SignUpFlow, verification: VerificationFlow, signIn: PasswordSignInFlow,
        codeExchange: CodeExchangeFlow, refresh: RefreshFlow, signOut: SignOutFlow, session: SessionFlow,
        refusal: RefusalFlow, admin: AdminFlows
    ) {
        (self.signUp, self.verification, self.signIn) = (signUp, verification, signIn)
        (self.codeExchange, self.refresh, self.signOut) = (codeExchange, refresh, signOut)
        (self.session, self.refusal, self.admin) = (session, refusal, admin)
    }
}

import GatepostFlows
import GatepostModel
import Hummingbird

extension APIServer {
    /// Adds what people see in a browser.
    static func addPages(_ mount: AppMount, _ flows: Flows, random: any RandomSource) {
        let pages = mount.pages
        let visits = PageVisits(
            flow: flows.visit, pages: pages, random: random, isDevelopment: !mount.ownOrigin.hasPrefix("https://"))
        mount.pageGroup("/apps/{app}", takesForeignForms: true)
            .addRoutes(AuthorizeRoutes(flow: flows.authorize, pages: pages).endpoints)
            .addRoutes(LogoutRoutes(flow: flows.logout).endpoints)
        mount.pageGroup("/apps/{app}/providers/{name}", takesForeignForms: true)
            .addRoutes(ProviderCallbackRoutes(flow: flows.providerSignIn, pages: pages).endpoints)
        mount.pageGroup("/apps/{app}/providers/{name}")
            .addRoutes(ProviderStartRoutes(flow: flows.providerSignIn).endpoints)
        let group = mount.pageGroup("/apps/{app}")
        group.addRoutes(
            LinkRoutes(
                flow: flows.verification, exports: AuditExportLinks(flow: flows.admin.audit, pages: pages),
                mails: MailLinkPages(
                    signIn: flows.emailSignIn, reset: flows.passwordReset, change: flows.emailChange,
                    visit: flows.visit, pages: pages, isDevelopment: visits.isDevelopment),
                invitations: flows.admin.invitations, visits: visits
            ).endpoints)
        group.addRoutes(SignInPageRoutes(flow: flows.signIn, devices: flows.devices, visits: visits).endpoints)
        group.addRoutes(
            EmailSignInPages(
                flow: flows.emailSignIn, visit: flows.visit, pages: pages, isDevelopment: visits.isDevelopment
            ).endpoints)
        group.addRoutes(FactorPages(flow: flows.factorChallenge, visits: visits).endpoints)
        group.addRoutes(PasswordResetPages(flow: flows.passwordReset, pages: pages).endpoints)
        group.addRoutes(
            SignUpPageRoutes(signUp: flows.signUp, verification: flows.verification, visits: visits).endpoints)
        addAccount(group, flows, visits)
    }

    private static func addAccount(
        _ group: RouterGroup<AppRequestContext>, _ flows: Flows, _ visits: PageVisits
    ) {
        let pages = visits.pages
        let shown = AccountShown(flow: flows.account, pages: pages, isDevelopment: visits.isDevelopment)
        group.addRoutes(AccountRoutes(flow: flows.account, logout: flows.logout, shown: shown).endpoints)
        group.addRoutes(ConsentPages(flow: flows.consent, account: flows.account, visits: visits).endpoints)
        group.addRoutes(
            PasswordChangePages(account: flows.account, flow: flows.passwordChange, pages: pages).endpoints)
        group.addRoutes(EmailChangePages(account: flows.account, flow: flows.emailChange, visits: visits).endpoints)
        group.addRoutes(
            AccountFactorPages(account: flows.account, flow: flows.factors, pages: pages).endpoints)
        group.addRoutes(
            IdentityPages(flow: flows.identities, ways: flows.providerSignIn, shown: shown).endpoints)
    }
}

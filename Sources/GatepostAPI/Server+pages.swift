import GatepostFlows
import Hummingbird

extension APIServer {
    /// Adds what people see in a browser.
    static func addPages(_ mount: AppMount, _ flows: Flows) {
        let pages = mount.pages
        let isDevelopment = !mount.ownOrigin.hasPrefix("https://")
        mount.pageGroup("/apps/{app}", takesForeignForms: true)
            .addRoutes(AuthorizeRoutes(flow: flows.authorize, pages: pages).endpoints)
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
                    visit: flows.visit, pages: pages, isDevelopment: isDevelopment),
                invitations: flows.admin.invitations, pages: pages
            ).endpoints)
        group.addRoutes(
            SignInPageRoutes(
                flow: flows.signIn, devices: flows.devices, visit: flows.visit, pages: pages,
                isDevelopment: isDevelopment
            )
            .endpoints)
        group.addRoutes(
            EmailSignInPages(
                flow: flows.emailSignIn, visit: flows.visit, pages: pages, isDevelopment: isDevelopment
            ).endpoints)
        group.addRoutes(PasswordResetPages(flow: flows.passwordReset, pages: pages).endpoints)
    }
}

package import GatepostDelivery
package import GatepostModel
import GatepostOutbox
import GatepostStore

/// Renders and sends the mails of this installation: what the mail handlers share.
package struct MailPost: Sendable {
    private let transport: MailTransport
    private let capture: MailCapture
    private let templates: MailTemplates
    private let from: EmailAddress
    private let baseURL: String

    /// Wires it.
    ///
    /// - Parameters:
    ///   - transport: The relay.
    ///   - capture: Where the mails of apps in capture mode go instead.
    ///   - templates: The texts.
    ///   - from: The address that mails come from; the name beside it is the app's.
    ///   - baseURL: Where people reach Gatepost, from the configuration and never from a request.
    package init(
        transport: MailTransport, capture: MailCapture, templates: MailTemplates, from: EmailAddress, baseURL: String
    ) {
        self.capture = capture
        (self.transport, self.templates, self.from, self.baseURL) = (transport, templates, from, baseURL)
    }

    /// The page that a link token opens; opening it uses nothing up.
    func link(_ token: OneTimeToken, in app: AppID) -> String {
        "\(baseURL)/apps/\(app)/links/\(token.secret.revealed)"
    }

    /// Sends a mail for a message.
    ///
    /// The same message makes the same bytes at each try: id and date are those of the message, and the values must
    /// be too.
    ///
    /// - Parameters:
    ///   - name: Which mail.
    ///   - values: What it says.
    ///   - address: Where it goes.
    ///   - locales: The languages to write in, the best one first; nil where one is not known. The app's comes last.
    ///   - app: The app in whose name it is sent.
    ///   - message: What is owed.
    ///   - deadline: How long it may take.
    /// - Returns: What came of it.
    func send(
        _ name: MailTemplates.Name, _ values: [String: String], to address: EmailAddress, in locales: [String?],
        of app: AppRecord, as message: ClaimedMessage, deadline: Duration
    ) async -> HandlerResult {
        guard !app.isSuspended else { return .ended(.suppressed, reason: "app_suspended") }
        var values = values
        values["app"] = app.name
        values["address"] = address.ascii
        let mail = MailMessage(
            from: MailSender(name: app.name, address: from), to: address, messageID: message.id,
            date: message.createdAt,
            content: templates.render(name, values, for: locales + [app.scope.settings.defaultLocale]))
        guard !app.scope.settings.capturesMails else {
            return await capture.keep(mail, as: message, in: app.scope)
        }
        return .attempt(await transport.send(mail, deadline: deadline))
    }
}

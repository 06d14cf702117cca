import CoreMetrics
import GatepostDelivery
import GatepostFlows
import GatepostModel
import GatepostTelemetry
import Logging

extension Wiring {
    /// The way to the server that knows leaked passwords; none unless the configuration names one.
    func passwordRangePort() throws -> PasswordRangePort {
        guard let url = configuration.passwordRangeURL else { return .none }
        guard url.hasPrefix("https://") || !configuration.privateDestinations.isEmpty else {
            throw UnusableSetting(
                .passwordRangeURL, "must be https://, unless \(Setting.privateDestinations.environmentName) is set")
        }
        let server = PasswordRangeServer(url: url, through: try httpTransport())
        return PasswordRangePort(asking: server, metrics: metrics, logger: logger)
    }
}

extension PasswordRangePort {
    /// The way to a server; that it did not answer is counted and logged, and nothing of what it was asked.
    init(asking server: PasswordRangeServer, metrics: MetricRegistry, logger: Logger) {
        func counter(_ outcome: String) -> Counter {
            Counter(label: MetricFamily.rangeChecks.name, dimensions: [("outcome", outcome)], factory: metrics)
        }
        let (answered, unanswered) = (counter("answered"), counter("unanswered"))
        self.init { prefix in
            switch await server.counts(beginning: prefix) {
            case .counts(let counts):
                answered.increment()
                return .counts(counts)
            case .failed(let why):
                unanswered.increment()
                logger.warning(
                    "no range server answered; a password was taken unchecked", metadata: ["reason": "\(why)"])
                return .unanswered
            }
        }
    }
}

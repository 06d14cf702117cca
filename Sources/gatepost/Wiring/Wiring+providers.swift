import GatepostDelivery
import GatepostFlows

extension Wiring {
    /// The way to identity providers: public addresses only, no redirects, small answers, soon.
    ///
    /// It lives as long as the flows that hold it.
    func providerPort() throws -> ProviderPort {
        ProviderPort(through: try httpTransport())
    }
}

extension ProviderPort {
    /// The way through a transport, which decides what may be dialled.
    init(through transport: HTTPTransport) {
        self.init { request in
            let answer = await transport.call(
                request.method, request.url, headers: request.headers, body: request.body,
                bytesMax: ProviderRequest.answerBytesMax, deadline: ProviderRequest.deadline)
            switch answer {
            case .answered(let status, let body): return .answered(status: status, body: body)
            case .failed(let why): return .failed(why)
            }
        }
    }
}

import GatepostFlows
import GatepostModel
import GatepostStore
import Hummingbird
import Logging

/// Turns whatever a handler throws into an answer; the one place where errors become answers.
///
/// What went wrong inside goes to the log under the request's id, without any value.
struct ProblemReporter: RouterMiddleware {
    typealias Context = RootRequestContext

    /// Who reads the answer.
    enum Form {
        /// A program: a problem document.
        case document
        /// A person: a page, of the app that the path names if it can be looked up.
        case page(Pages, Database)
    }

    let form: Form
    let logger: Logger

    func handle(
        _ request: Request, context: RootRequestContext,
        next: (Request, RootRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as BrokenRequest {
            // The server closes the connection; nobody is there to be told.
            throw error.underlying
        } catch {
            let problem = Problem(reporting: error)
            if problem.code.status >= 500 {
                logger.log(
                    level: problem.code == .internalError ? .error : .warning, "request failed",
                    metadata: ["request.id": "\(context.id)", "error": "\(Trouble.summary(error))"])
            }
            return try await report(problem, request, context)
        }
    }

    private func report(
        _ problem: Problem, _ request: Request, _ context: RootRequestContext
    ) async throws -> Response {
        switch form {
        case .document:
            return try problem.response(requestID: context.id)
        case .page(let pages, let database):
            let id = context.parameters.get("app", as: AppID.self)
            // The page is shown without the app's name where that cannot be read either.
            let app = if let id { try? await database.app(id) } else { AppRecord?.none }
            let reader = pages.reader(of: request, app)
            let page = ProblemPage(
                problem: pages.text(problem.code, for: reader), detail: pages.detail(of: problem, for: reader))
            var response = try pages.response(page, to: reader, status: .init(code: problem.code.status))
            for field in problem.allHeaders where field.name != .contentType { response.headers.append(field) }
            return response
        }
    }
}

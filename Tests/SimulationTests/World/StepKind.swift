/// What can happen in one step; a run in which one of these never happened fails.
///
/// Beside these, each file in `jobs/` is a kind of its own.
enum StepKind: String, CaseIterable, Sendable {
    // People.
    case signUp, signUpAgain, resendMail, verifyByLink, verifyByLinkElsewhere, verifyByCode, tryWrongCode, useLinkAgain
    case signIn, tryWrongPassword, exchangeCode, exchangeWithWrongVerifier, exchangeCodeAgain
    case refresh, repeatRefresh, replayOldRefreshToken, useAccessToken, signOut, signOutEverywhere
    case presentSecretElsewhere, raceForLink, raceForCode, raceForRefresh

    // Admins.
    case deactivate, reactivate, cancelMessage, holdMessage, releaseMessage, resendMessage, redriveMessage, redriveAll
    case addEndpoint, changeEndpoint, deleteEndpoint, rotateEndpointSecret, repeatRequest

    // Workers.
    case startWorker, stopWorker, claim, lookEverywhere, beginDelivery
    case endDelivered, endTransient, endPermanent, endIndeterminate, endObsolete, settle, settleTwice
    case crashAfterClaim, crashInDelivery, crashBeforeSettling, crashInSettling, failInSettling

    // Jobs, of which one is chosen.
    case runJob

    // Time.
    case millisecondsPass, secondsPass, minutesPass, hoursPass, daysPass

    // Postgres.
    case killConnections, loseCommit

    /// How often it is chosen, among ten thousand or so; what cannot happen at the moment is chosen again.
    ///
    /// What costs a round trip or more is rarer than what costs none, so that a hundred thousand steps take a minute.
    var weight: Int {
        switch self {
        case .signUp: 150
        case .signUpAgain, .resendMail: 35
        case .verifyByLink: 80
        case .verifyByLinkElsewhere, .verifyByCode, .tryWrongCode: 30
        case .useLinkAgain: 20
        case .signIn: 130
        case .tryWrongPassword: 25
        case .exchangeCode: 130
        case .exchangeWithWrongVerifier, .exchangeCodeAgain: 15
        case .refresh: 120
        case .repeatRefresh: 30
        case .replayOldRefreshToken: 15
        case .useAccessToken: 80
        case .signOut: 20
        case .signOutEverywhere: 15
        case .presentSecretElsewhere: 30
        case .raceForLink, .raceForCode, .raceForRefresh: 12
        case .deactivate, .reactivate: 14
        case .cancelMessage, .holdMessage: 14
        case .releaseMessage: 12
        case .resendMessage, .redriveMessage: 8
        case .redriveAll: 1
        case .addEndpoint, .changeEndpoint, .deleteEndpoint, .rotateEndpointSecret, .repeatRequest: 5
        case .startWorker: 60
        case .stopWorker: 15
        case .claim: 450
        case .lookEverywhere: 30
        case .beginDelivery: 1300
        case .endDelivered: 1000
        case .endTransient: 160
        case .endPermanent: 60
        case .endIndeterminate: 60
        case .endObsolete: 30
        case .settle: 300
        case .settleTwice: 20
        case .crashAfterClaim, .crashInDelivery, .crashBeforeSettling: 12
        case .crashInSettling, .failInSettling: 5
        case .runJob: 60
        case .millisecondsPass: 1200
        case .secondsPass: 120
        case .minutesPass: 15
        case .hoursPass: 8
        case .daysPass: 2
        case .killConnections: 2
        case .loseCommit: 8
        }
    }
}

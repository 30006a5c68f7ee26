namespace RaftMq.Kafka.Handlers;

/// <summary>
/// Kafka transactions are not served yet. The clients know no code for that, so they get the one that each of them takes for final:
/// TRANSACTIONAL_ID_AUTHORIZATION_FAILED. On any other code librdkafka looks for a coordinator for ever.
/// </summary>
internal static class Transactions
{
    public const string NotServed =
        "transactions are not served by this cluster; remove transactional.id (an idempotent producer needs none)";
}

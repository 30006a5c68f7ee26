using RaftMq.Cli.Output;

namespace RaftMq.Cli.Admin;

/// <summary>What a balance would do, or has left to do, and how much it would copy.</summary>
/// <param name="Replicas">New ones, each of which is a copy.</param>
/// <param name="Bytes">What the nodes say that these partitions hold in segments; null where a size is not known.</param>
/// <param name="Leaders">Partitions that another node is to lead.</param>
internal sealed record BalanceReport(
    bool UnderWay, IReadOnlyList<string> Obstacles, IReadOnlyList<BalanceMoveReport> Moves, int Replicas, long? Bytes, int Leaders)
{
    public const string Even = "placement is even: nothing to do";

    public string Summary =>
        $"{Counted.Of(Replicas, "replica")} to copy{(Bytes is { } bytes && Replicas > 0 ? $", about {Counted.Bytes(bytes)}" : "")}; "
        + $"{Counted.Of(Leaders, "partition")} {(Leaders == 1 ? "gets" : "get")} another leader";

    public static BalanceReport Of(BalanceAnswer balance, IReadOnlyList<StatusAnswer> statuses)
    {
        BalanceMoveReport[] moves = [.. balance.Moves.Select(move => new BalanceMoveReport(
            move.Topic, move.Partition, move.From, move.To, move.Copies, SizeOf(move, statuses) * move.Copies.Count))];
        return new BalanceReport(
            balance.UnderWay, balance.Obstacles, moves, moves.Sum(move => move.Copies.Count),
            moves.All(move => move.Bytes is not null) ? moves.Sum(move => move.Bytes) : null,
            moves.Count(move => move.From is [int leader, ..] && move.To[0] != leader));
    }

    /// <summary>The largest of its replicas: one that is not whole yet has less.</summary>
    private static long? SizeOf(BalanceMoveAnswer move, IReadOnlyList<StatusAnswer> statuses) => statuses
        .SelectMany(status => status.Replicas ?? [])
        .Where(replica => replica.Topic == move.Topic && replica.Partition == move.Partition)
        .Max(replica => (long?)replica.SizeBytes);
}

internal sealed record BalanceMoveReport(
    string Topic, int Partition, IReadOnlyList<int> From, IReadOnlyList<int> To, IReadOnlyList<int> Copies, long? Bytes);

using System.Collections.Immutable;
using RaftMq.Broker.Encoding;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>What a node says of itself when it registers, anew after each start: replicated as said.</summary>
/// <param name="Boot">
/// Of the start it registers after. A node that finds its own in the cluster's state knows that this state is newer than all that an
/// earlier life of it has seen.
/// </param>
/// <param name="StartId">
/// Drawn at each start. Two starts with one boot number are two of different copies of a data folder: an older one was put back.
/// </param>
public sealed record NodeRecord(
    ReplicaId Replica, BootNumber Boot, ulong StartId, string? Rack, ImmutableArray<ListenerAddress> Listeners, int FeatureMin, int FeatureMax)
{
    public bool Equals(NodeRecord? other) =>
        other is not null && Replica == other.Replica && Boot == other.Boot && StartId == other.StartId && Rack == other.Rack && FeatureMin == other.FeatureMin
        && FeatureMax == other.FeatureMax && Listeners.SequenceEqual(other.Listeners);

    public override int GetHashCode() => Replica.Node.Value;

    internal void Write(ByteWriter writer)
    {
        writer.Replica(Replica);
        writer.Int64(Boot.Value);
        writer.Int64(unchecked((long)StartId));
        writer.OptionalText(Rack);
        writer.Int32(FeatureMin);
        writer.Int32(FeatureMax);
        writer.Int32(Listeners.Length);
        foreach (ListenerAddress listener in Listeners)
        {
            writer.Text(listener.Name);
            writer.Text(listener.Host);
            writer.Int32(listener.Port);
        }
    }

    internal static NodeRecord Read(ref ByteReader reader)
    {
        ReplicaId replica = reader.Replica();
        var boot = new BootNumber(reader.Int64());
        ulong startId = unchecked((ulong)reader.Int64());
        string? rack = reader.OptionalText();
        int featureMin = reader.Int32();
        int featureMax = reader.Int32();
        int count = reader.Count(bytesEachMin: 12);
        ImmutableArray<ListenerAddress>.Builder listeners = ImmutableArray.CreateBuilder<ListenerAddress>(count);
        for (int i = 0; i < count; i++)
        {
            listeners.Add(new ListenerAddress(reader.Text(), reader.Text(), reader.Int32()));
        }

        return new NodeRecord(replica, boot, startId, rack, listeners.ToImmutable(), featureMin, featureMax);
    }
}

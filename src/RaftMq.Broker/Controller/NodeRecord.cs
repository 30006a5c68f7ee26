using System.Collections.Immutable;
using RaftMq.Broker.Encoding;
using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>What a node says of itself when it registers: replicated as said.</summary>
public sealed record NodeRecord(
    ReplicaId Replica, string? Rack, ImmutableArray<ListenerAddress> Listeners, int FeatureMin, int FeatureMax)
{
    public bool Equals(NodeRecord? other) =>
        other is not null && Replica == other.Replica && Rack == other.Rack && FeatureMin == other.FeatureMin
        && FeatureMax == other.FeatureMax && Listeners.SequenceEqual(other.Listeners);

    public override int GetHashCode() => Replica.Node.Value;

    internal void Write(ByteWriter writer)
    {
        writer.Replica(Replica);
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
        string? rack = reader.OptionalText();
        int featureMin = reader.Int32();
        int featureMax = reader.Int32();
        int count = reader.Count(bytesEachMin: 12);
        ImmutableArray<ListenerAddress>.Builder listeners = ImmutableArray.CreateBuilder<ListenerAddress>(count);
        for (int i = 0; i < count; i++)
        {
            listeners.Add(new ListenerAddress(reader.Text(), reader.Text(), reader.Int32()));
        }

        return new NodeRecord(replica, rack, listeners.ToImmutable(), featureMin, featureMax);
    }
}

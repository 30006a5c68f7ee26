using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace RaftMq.House.Tests.Determinism;

/// <summary>
/// Finds static fields through which one node of a process, or one run, could reach another: all that are not readonly, and readonly ones
/// whose value, as far as it reaches, could be changed. What the compiler makes for itself (caches of lambdas, constant data) is passed over.
/// </summary>
internal static class StaticState
{
    private const BindingFlags Statics =
        BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private const BindingFlags Instances =
        BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Type[] Unchanging = [typeof(string), typeof(decimal), typeof(Type), typeof(Delegate), typeof(StringComparer)];

    /// <summary>Each as "type.field: why".</summary>
    /// <param name="types">Nested ones are not added.</param>
    /// <param name="justified">"type.field" of those that somebody has looked at.</param>
    public static IEnumerable<string> In(IEnumerable<Type> types, IReadOnlyDictionary<string, string> justified)
    {
        foreach (Type type in types.Where(t => !t.Name.StartsWith('<')))
        {
            foreach (FieldInfo field in type.GetFields(Statics).Where(f => !f.IsLiteral))
            {
                string name = $"{type.FullName}.{NameOf(field)}";
                if (!justified.ContainsKey(name) && FaultOf(type, field) is { } fault)
                {
                    yield return $"{name}: {fault}";
                }
            }
        }
    }

    private static string? FaultOf(Type type, FieldInfo field)
    {
        if (field.IsDefined(typeof(ThreadStaticAttribute)))
        {
            return "is another one in each thread";
        }

        if (!field.IsInitOnly)
        {
            return "is not readonly";
        }

        return type.ContainsGenericParameters
            ? "is one for each type argument, and its value can't be looked at"
            : FaultOf(field.GetValue(null), new HashSet<object>(ReferenceEqualityComparer.Instance));
    }

    /// <summary>Null when nothing of the value can change.</summary>
    private static string? FaultOf(object? value, HashSet<object> seen)
    {
        if (value is null || value.GetType() is var type && (type.IsPrimitive || type.IsEnum || Unchanging.Any(u => u.IsInstanceOfType(value))))
        {
            return null;
        }

        if (!type.IsValueType && !seen.Add(value))
        {
            return null;
        }

        if (value is Array array)
        {
            return array.Length == 0 ? null : $"holds a {type.Name}, whose elements can be set";
        }

        if (IsReadOnlyCollection(type))
        {
            return type.GetProperty("IsDefault")?.GetValue(value) is true
                ? null
                : ((IEnumerable)value).Cast<object?>().Select(element => FaultOf(element, seen)).FirstOrDefault(fault => fault is not null);
        }

        for (Type? part = type; part is not null && part != typeof(object); part = part.BaseType)
        {
            foreach (FieldInfo field in part.GetFields(Instances))
            {
                // The fields of a struct are as fixed as the field that holds it.
                if (!field.IsInitOnly && !part.IsValueType)
                {
                    return $"holds a {type.Name}, whose {NameOf(field)} can be set";
                }

                if (FaultOf(field.GetValue(value), seen) is { } fault)
                {
                    return fault;
                }
            }
        }

        return null;
    }

    private static bool IsReadOnlyCollection(Type type) =>
        type.Namespace is "System.Collections.Immutable" or "System.Collections.Frozen"
        || (type.Name.StartsWith("<>z__ReadOnly", StringComparison.Ordinal) && type.IsDefined(typeof(CompilerGeneratedAttribute)));

    /// <summary>A property's field by the property's name.</summary>
    private static string NameOf(FieldInfo field) =>
        field.Name.StartsWith('<') && field.Name.IndexOf('>', StringComparison.Ordinal) is > 1 and var end ? field.Name[1..end] : field.Name;
}

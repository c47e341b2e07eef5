//! Objects of the venue, all read in the same way.

/// Declares an object: a struct, how it is read, and how it is written.
///
/// Each member is read by [`Member`](super::lenient::Member) of its type, so in every form that the venue is known to
/// send. Members that are not known are ignored, the last of two equal ones counts. A member is required when its type
/// has no value for [`absent`](super::lenient::Member::absent) ones. `name = "other"` reads it from another name.
/// `Name or default` is for an object that may be missing where it is a member itself.
macro_rules! object {
    (
        $(#[$doc:meta])*
        $name:ident $(or $default:ident)? {
            $($(#[$member_doc:meta])* $member:ident $(= $key:literal)?: $type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[$member_doc])*
                $(#[serde(rename = $key)])?
                #[serde(skip_serializing_if = "crate::deribit::data::lenient::Member::is_absent")]
                pub $member: $type,
            )*
        }

        const _: () = {
            use crate::deribit::data::lenient::{Member, Read};
            use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
            use std::fmt;

            const NAMES: &[&str] = &[$(object!(@key $member $($key)?),)*];

            #[allow(non_camel_case_types, reason = "these are the members' own names")]
            enum Key { $($member,)* Unknown }

            impl<'de> Deserialize<'de> for Key {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    struct Keys;
                    impl Visitor<'_> for Keys {
                        type Value = Key;
                        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                            f.write_str("a name")
                        }
                        fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                            Ok(match name {
                                $(object!(@key $member $($key)?) => Key::$member,)*
                                _ => Key::Unknown,
                            })
                        }
                    }
                    deserializer.deserialize_identifier(Keys)
                }
            }

            struct Object;

            impl<'de> Visitor<'de> for Object {
                type Value = $name;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(concat!("an object (", stringify!($name), ")"))
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                    $(let mut $member: Option<$type> = None;)*
                    while let Some(key) = map.next_key()? {
                        match key {
                            $(Key::$member => $member = Some(map.next_value_seed(Read::new())?),)*
                            Key::Unknown => drop(map.next_value::<IgnoredAny>()?),
                        }
                    }
                    Ok($name {
                        $($member: match $member.or_else(Member::absent) {
                            Some(value) => value,
                            None => return Err(Error::missing_field(object!(@key $member $($key)?))),
                        },)*
                    })
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_struct(stringify!($name), NAMES, Object)
                }
            }

            object!(@member $name $($default)?);
        };
    };
    (@member $name:ident) => {
        impl Member for $name {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }
        }
    };
    (@member $name:ident default) => {
        impl Member for $name {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Option::<Self>::deserialize(deserializer).map(Option::unwrap_or_default)
            }

            fn absent() -> Option<Self> {
                Some(Self::default())
            }
        }
    };
    (@key $member:ident) => { stringify!($member) };
    (@key $member:ident $key:literal) => { $key };
}

pub(crate) use object;

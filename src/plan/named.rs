//! Enums without data, with one name per variant for files and messages.

macro_rules! named {
    ($(#[$meta:meta])* pub enum $Enum:ident { $($(#[$about:meta])* $Variant:ident = $name:tt,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $Enum { $($(#[$about])* #[serde(rename = $name)] $Variant,)+ }

        impl $Enum {
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$Variant),+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name,)+ }
            }
        }
    };
}
pub(super) use named;
